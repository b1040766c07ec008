"""A certificate for 127.0.0.1 that nobody trusts until SSL_CERT_FILE names it."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


@dataclass(frozen=True)
class Certificate:
    """`trusted` is the file to trust, `secret` the one with the key as well."""

    trusted: Path
    secret: Path

    def context(self) -> ssl.SSLContext:
        """What a server speaks with."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.secret)
        return context


def made_in(folder: Path, *, names: tuple[str, ...] = (), hours: tuple[int, int] = (-1, 1)) -> Certificate:
    """A certificate in two files of `folder`: for these DNS names or 127.0.0.1, valid for these hours from now."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0] if names else "127.0.0.1")])
    here = x509.IPAddress(ip_address("127.0.0.1"))
    shown: list[x509.GeneralName] = [x509.DNSName(one) for one in names] or [here]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(hours=hours[0]))
        .not_valid_after(now + timedelta(hours=hours[1]))
        .add_extension(x509.SubjectAlternativeName(shown), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    public = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    found = Certificate(folder / "trusted.pem", folder / "secret.pem")
    found.trusted.write_bytes(public)
    found.secret.write_bytes(public + private)
    return found
