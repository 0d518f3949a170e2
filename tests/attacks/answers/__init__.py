"""Attacks on the answers, with an ordinary analyst's token, the gRPC API, the public catalogue and
the public algorithm. The truth is used for scoring only.
"""
