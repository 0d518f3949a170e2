"""The client's only error class."""


class ClientError(Exception):
    """A problem that you can correct: the address, the certificate or the question."""
