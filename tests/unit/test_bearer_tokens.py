"""Tokens of an OpenID Connect issuer. A valid token identifies its person; an invalid one
identifies no person.
"""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import grpc
import jwt
import pytest
from childlink_access import oidc
from childlink_access.guard import Guard, caller
from childlink_access.oidc import BearerTokens, Issuer
from childlink_access.policy import PolicyFile
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

AUDIENCE = "childlink-linker"
KEYS = {
    "RS256": rsa.generate_private_key(65537, 2048),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}
AS_JWK = {"RS256": RSAAlgorithm, "ES256": ECAlgorithm, "EdDSA": OKPAlgorithm}


def jwks(*names):
    found = []
    for name in names or KEYS:
        key = json.loads(AS_JWK[name].to_jwk(KEYS[name].public_key()))
        found.append({**key, "kid": name, "alg": name, "use": "sig"})
    return {"keys": found}


def token(issuer, alg="ES256", key=None, kid=None, **claims):
    now = int(time.time())
    said = {
        "iss": issuer,
        "aud": AUDIENCE,
        "sub": "n.steward",
        "iat": now,
        "exp": now + 300,
        **claims,
    }
    said = {name: value for name, value in said.items() if value is not None}
    return jwt.encode(said, key or KEYS[alg], algorithm=alg, headers={"kid": kid or alg})


class LocalIssuer:
    """An issuer on this machine that counts the requests it gets."""

    def __init__(self):
        self.keys, self.asked, self.says_it_is, self.redirect = jwks(), 0, None, False
        outer = self

        class Answers(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked += 1
                if outer.redirect:
                    self.send_response(302)
                    self.send_header("Location", outer.url + "/keys")
                    self.end_headers()
                    return
                facts = {"issuer": outer.says_it_is or outer.url, "jwks_uri": f"{outer.url}/keys"}
                body = json.dumps(outer.keys if self.path == "/keys" else facts).encode()
                self.send_response(200)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def online():
    issuer = LocalIssuer()
    yield issuer
    issuer.close()


@pytest.fixture
def by_file(tmp_path):
    path = tmp_path / "keys.json"
    path.write_text(json.dumps(jwks()))
    return Issuer("https://login.example", AUDIENCE, jwks=path)


@pytest.mark.parametrize("alg", KEYS)
def test_a_good_token_names_its_subject(by_file, alg):
    assert BearerTokens().subject(by_file, token(by_file.issuer, alg)) == "n.steward"


def public_pem(name):
    return (
        KEYS[name]
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def unsigned(issuer):
    return jwt.encode(
        {"iss": issuer, "aud": AUDIENCE, "sub": "n.steward", "exp": time.time() + 300}, None, "none"
    )


def signed_with_the_public_key(issuer):
    # RS256 to HS256: the attack uses the public key, which is not secret, as an HMAC secret. PyJWT
    # refuses to create such a token, so the test builds it by hand.
    import hashlib
    import hmac
    from base64 import urlsafe_b64encode

    def part(value):
        return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")

    now = int(time.time())
    body = (
        part({"alg": "HS256", "kid": "RS256"})
        + b"."
        + part({"iss": issuer, "aud": AUDIENCE, "sub": "n.steward", "exp": now + 300})
    )
    mac = urlsafe_b64encode(hmac.new(public_pem("RS256"), body, hashlib.sha256).digest()).rstrip(
        b"="
    )
    return (body + b"." + mac).decode()


@pytest.mark.parametrize(
    "make",
    [
        lambda i: token(i, exp=int(time.time()) - 60),
        lambda i: token(i, exp=None),
        lambda i: token(i, nbf=int(time.time()) + 600),
        lambda i: token(i, aud="another-service"),
        lambda i: token(i, aud=None),
        lambda i: token("https://evil.example"),
        lambda i: token(i, sub=None),
        lambda i: token(i, sub=""),
        lambda i: token(i, key=ec.generate_private_key(ec.SECP256R1())),
        lambda i: token(i, alg="ES256", kid="RS256"),
        lambda i: token(i, kid="unknown"),
        lambda i: token(i)[:-8] + "AAAAAAAA",
        unsigned,
        signed_with_the_public_key,
        lambda _: "",
        lambda _: "a.b.c",
        lambda _: "\x00" * 5000,
    ],
)
def test_a_token_that_is_not_good_names_nobody(by_file, make):
    assert BearerTokens().subject(by_file, make(by_file.issuer)) is None


def test_a_shared_secret_among_the_issuers_keys_is_not_used(tmp_path):
    path = tmp_path / "keys.json"
    path.write_text(
        json.dumps({"keys": [{"kty": "oct", "k": "c2VjcmV0" * 8, "kid": "HS256", "alg": "HS256"}]})
    )
    issuer = Issuer("https://login.example", AUDIENCE, jwks=path)
    made = token(issuer.issuer, alg="HS256", key=b"secret" * 8, kid="HS256")
    assert BearerTokens().subject(issuer, made) is None


def test_an_address_names_its_owner_only_if_the_issuer_verified_it(by_file):
    issuer = Issuer(by_file.issuer, AUDIENCE, "email", by_file.jwks)
    for verified, named in ((True, "n@trust.example"), (False, None), ("true", None), (None, None)):
        made = token(issuer.issuer, email="n@trust.example", email_verified=verified)
        assert BearerTokens().subject(issuer, made) == named


def test_a_key_that_is_taken_out_of_the_file_signs_nothing_any_more(by_file):
    tokens, made = BearerTokens(), token(by_file.issuer)
    assert tokens.subject(by_file, made)
    by_file.jwks.write_text(json.dumps(jwks("RS256")))
    assert tokens.subject(by_file, made) is None
    by_file.jwks.write_text("nonsense")
    assert tokens.subject(by_file, token(by_file.issuer, "RS256")) is None


def test_an_issuers_keys_are_fetched_once_and_again_when_they_change(online, monkeypatch):
    issuer, tokens = Issuer(online.url, AUDIENCE), BearerTokens()
    online.keys = jwks("RS256")
    for _ in range(5):
        assert tokens.subject(issuer, token(online.url, "RS256")) == "n.steward"
    assert online.asked == 2, "the issuer's metadata and its keys"
    online.keys = jwks("ES256")
    for _ in range(5):
        assert tokens.subject(issuer, token(online.url, "ES256")) is None, (
            "an attacker cannot make us ask the issuer again and again"
        )
    assert online.asked == 2
    monkeypatch.setattr(oidc, "_ASK_AGAIN_S", -1)
    assert tokens.subject(issuer, token(online.url, "ES256")) == "n.steward"


def test_an_issuer_that_says_it_is_another_or_points_elsewhere_is_not_believed(online):
    online.says_it_is = "https://other.example"
    assert BearerTokens().subject(Issuer(online.url, AUDIENCE), token(online.url)) is None
    online.says_it_is, online.redirect = None, True
    assert BearerTokens().subject(Issuer(online.url, AUDIENCE), token(online.url)) is None
    plain = Issuer("http://login.example", AUDIENCE)
    assert BearerTokens().subject(plain, token(plain.issuer)) is None


def test_keys_of_an_issuer_that_cannot_be_asked_are_not_believed_for_ever(online, monkeypatch):
    issuer, tokens = Issuer(online.url, AUDIENCE), BearerTokens()
    assert tokens.subject(issuer, token(online.url))
    online.close()
    assert tokens.subject(issuer, token(online.url)), (
        "keys that are an hour old are better than refusing everyone"
    )
    later = time.monotonic() + 3 * 3600
    monkeypatch.setattr(oidc.time, "monotonic", lambda: later)
    assert tokens.subject(issuer, token(online.url)) is None


def test_a_service_lets_in_whom_the_policy_file_names(tmp_path, by_file):
    policy = tmp_path / "policy.toml"
    policy.write_text(
        '[[person]]\nname = "n.steward"\nroles = ["steward"]\nsubject = "abc-123"\n'
        f'[oidc]\nissuer = "{by_file.issuer}"\naudience = "{AUDIENCE}"\njwks = "keys.json"\n'
    )

    class Answers(grpc.GenericRpcHandler):
        def service(self, _details):
            return grpc.unary_unary_rpc_method_handler(
                lambda _request, _context: caller().name.encode()
            )

    guard = Guard(PolicyFile(policy).now, {"/s/M": frozenset(("steward",))})
    server = grpc.server(ThreadPoolExecutor(2), interceptors=[guard])
    server.add_generic_rpc_handlers([Answers()])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:

        def ask(subject):
            made = token(by_file.issuer, sub=subject)
            return channel.unary_unary("/s/M")(
                b"", metadata=[("authorization", f"Bearer {made}")], timeout=5
            )

        assert ask("abc-123") == b"n.steward"
        with pytest.raises(grpc.RpcError) as refused:
            ask("somebody-else")
        assert refused.value.code() == grpc.StatusCode.UNAUTHENTICATED
        policy.write_text(policy.read_text().replace("abc-123", "another"))
        with pytest.raises(grpc.RpcError):
            ask("abc-123")
    server.stop(0).wait()
