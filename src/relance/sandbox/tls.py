"""The org's own certificate authority, and the certificate its https listener shows. Made once, kept beside the org's store."""

from __future__ import annotations

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

YEARS = timedelta(days=3650)
LEAF_LIFE = timedelta(days=397)  # some clients refuse certificates that live longer


def ensure_certificates(home: Path, name: str) -> tuple[Path, Path]:
    """The CA file to trust, and the file with the listener's certificate and key. Renewed when the leaf is near its end."""
    ca_file, leaf_file = home / "ca.pem", home / "server.pem"
    if ca_file.exists() and leaf_file.exists() and not is_nearly_over(leaf_file):
        return ca_file, leaf_file
    home.mkdir(parents=True, exist_ok=True)
    ca_key = ec.generate_private_key(ec.SECP256R1())
    authority = sign_authority(ca_key, name)
    leaf_key = ec.generate_private_key(ec.SECP256R1())
    leaf = sign_leaf(leaf_key, authority, ca_key)
    write_private(leaf_file, leaf.public_bytes(serialization.Encoding.PEM) + private_pem(leaf_key))
    ca_file.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    return ca_file, leaf_file


def ensure_app_key(home: Path) -> Path:
    """The private key of the org's connected app, for the JWT bearer flow: its public half is what the app trusts."""
    key_file = home / "app_key.pem"
    if not key_file.exists():
        home.mkdir(parents=True, exist_ok=True)
        write_private(key_file, private_pem(rsa.generate_private_key(public_exponent=65537, key_size=2048)))
    return key_file


def public_half(key_file: Path) -> str:
    key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
    return (
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


def server_context(leaf_file: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(leaf_file)
    return context


def is_nearly_over(leaf_file: Path) -> bool:
    leaf = x509.load_pem_x509_certificate(leaf_file.read_bytes())
    return leaf.not_valid_after_utc < datetime.now(UTC) + timedelta(days=30)


def sign_authority(key: ec.EllipticCurvePrivateKey, name: str) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{name} CA"[:64])])
    usage = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return (
        unsigned(subject, subject, key, YEARS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(identifier, critical=False)
        .sign(key, hashes.SHA256())
    )


def sign_leaf(
    key: ec.EllipticCurvePrivateKey, authority: x509.Certificate, ca_key: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    return (
        unsigned(subject, authority.subject, key, LEAF_LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(names, critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(issuer, critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )


def unsigned(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, life: timedelta
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + life)
    )


def private_pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def write_private(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_bytes(content)
