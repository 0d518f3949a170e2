"""Who may do what at a service: `policy` (rule) says, `guard` asks it before every gRPC call,
`serving` opens the port.
"""
