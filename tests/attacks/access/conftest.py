"""A linker's gRPC server as in a deployment: TLS, certificates of an authority, a policy file and a
revocation list.
"""

import grpc
import pytest
from childlink.linker.v1 import operator_pb2, operator_pb2_grpc
from childlink_access.policy import new_token, sha256
from childlink_linker.review.service import ReviewService
from childlink_linker.server import OperatorService, serve
from childlink_linker.settings import LinkerSettings
from childlink_ops import authority as ops

from tests.support import real
from tests.support.pki import OperatorsAuthority

PEOPLE = {"monitor": "operator", "n-steward": "steward", "a-shah": "analyst"}


class Service:
    """The server and its callers."""

    def __init__(self, folder, linker, **settings):
        self.linker = linker
        self.pki = OperatorsAuthority(folder / "authority")
        self.published = folder / "published"
        self.publish()
        certificate, key = self.pki.issue("server", "linker", "127.0.0.1", "localhost")
        self.token = new_token()
        policy = folder / "policy.toml"
        policy.write_text(
            "\n".join(
                f'[[person]]\nname = "{name}"\nroles = ["{role}"]\ncertificate ='
                f' "childlink:analyst:{name}"\n'
                for name, role in PEOPLE.items()
            )
            + '[[person]]\nname = "by-token"\nroles = ["operator"]\ntoken_sha256 ='
            f' "{sha256(self.token)}"\n'
        )
        self.address = f"127.0.0.1:{real.free_port()}"
        self.settings = LinkerSettings(
            directory=folder / "d",
            grpc_address=self.address,
            grpc_tls_certificate=certificate,
            grpc_tls_key=key,
            grpc_tls_client_ca=self.pki.ca,
            grpc_tls_revoked=self.published / "crl.pem",
            policy=policy,
            **settings,
        )
        operators = OperatorService(linker.engine, ["p"], "v")
        self.server = serve(
            self.settings, operators, ReviewService(linker.desk()), linker.metrics.refused
        )
        self.certificates = {
            name: self.pki.issue("analyst", name) for name in (*PEOPLE, "stranger")
        }

    def publish(self):
        self.published.mkdir(exist_ok=True)
        ops.Register(self.pki.folder).publish(self.published)

    def revoke(self, name):
        signer = ops.Authority(self.pki.folder)
        signer.revoke([item.serial for item in signer.certificates() if item.name == name])
        self.publish()

    def channel(self, name, certificate=None, options=()):
        """A separate connection with one holder's certificate."""
        public, private = certificate or self.certificates[name]
        credentials = grpc.ssl_channel_credentials(
            self.pki.ca.read_bytes(), private.read_bytes(), public.read_bytes()
        )
        return grpc.secure_channel(
            self.address, credentials, [("grpc.use_local_subchannel_pool", 1), *options]
        )

    def refused(self, reason):
        """The number of refused calls for a reason, from the metric."""
        counted = self.linker.metrics.calls_refused.collect()[0].samples
        return sum(
            s.value for s in counted if s.name.endswith("_total") and s.labels["reason"] == reason
        )

    def healthy(self):
        """Whether the service answers a permitted caller quickly, on a new connection."""
        with self.channel("monitor") as channel:
            return get_status(channel).profile_ids == ["p"]


def get_status(channel, timeout=5, **options):
    """The status call of operators."""
    stub = operator_pb2_grpc.OperatorServiceStub(channel)
    return stub.GetStatus(operator_pb2.GetStatusRequest(), timeout=timeout, **options)


def code_of(call):
    """The status code at the end of a call."""
    try:
        call()
    except grpc.RpcError as error:
        return error.code()
    return grpc.StatusCode.OK


@pytest.fixture
def service(tmp_path, linker):
    service = Service(tmp_path, linker)
    yield service
    assert service.healthy(), "and the service answers after the attack"
    service.server.stop(0).wait()


@pytest.fixture
def patient_service(tmp_path, linker):
    """A server without a limit on how often a caller calls."""
    service = Service(tmp_path, linker, grpc_calls_a_minute=10**9)
    yield service
    assert service.healthy(), "and the service answers after the attack"
    service.server.stop(0).wait()
