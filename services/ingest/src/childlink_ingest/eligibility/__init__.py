"""Who may be sent: opt-outs, objections, and ids that no one person has."""
