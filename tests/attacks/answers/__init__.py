"""Attacks on the answers: with an ordinary analyst's token, the gRPC API, the public catalogue and
algorithm. Truth only scores.
"""
