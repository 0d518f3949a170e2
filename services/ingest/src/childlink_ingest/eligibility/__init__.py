"""Decides who may be sent: opt-outs, objections, and ids shared by several people."""
