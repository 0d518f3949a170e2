"""The client's one error."""


class ClientError(Exception):
    """Something that the caller can put right: the address, the certificate, or the question."""
