"""Access control: `policy` holds the rules, `guard` checks each gRPC call, `serving` opens the
port.
"""
