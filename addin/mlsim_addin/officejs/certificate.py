"""The certificate under which Excel talks to the server on this machine.

Excel loads an add-in over HTTPS only, so a person trusts a certificate authority made here, once. What it could be
abused for is kept small: it may vouch for this machine's own names and nothing else, and its private key is never
written: it signs one certificate and is gone. Both end together, and are then made and trusted anew.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import platform
import shlex
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import TYPE_CHECKING

from mlsim.files import FileError, write_file

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.hashes import SHA256

__all__ = ["Files", "configuration_folder", "ready", "token", "trust_step"]

DAYS = 820  # macOS trusts no server certificate that is valid for more than 825
RENEW = timedelta(days=30)
NAMES = ("localhost",)
ADDRESSES = ("127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Files:
    """Where the authority, the certificate it signed, and that certificate's key are."""

    authority: Path
    certificate: Path
    key: Path


def configuration_folder() -> Path:
    """Return the user's own folder for MLSIM's settings, as each system has it."""
    system = platform.system()
    if system == "Windows":
        return Path(os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming") / "mlsim"
    if system == "Darwin":
        return Path.home() / "Library" / "Application Support" / "mlsim"
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "mlsim"


def ready(folder: Path, now: datetime | None = None) -> tuple[Files, bool]:
    """Return the files, and whether they had to be made: the first time, and when they are about to expire.

    Parameters
    ----------
    folder : Path
        Where they are, or are to be; it is made for the user alone.
    now : datetime, optional
        The time, with its zone.

    Raises
    ------
    FileError
        When they cannot be written.
    """
    now = now or datetime.now(UTC)
    files = Files(folder / "authority.pem", folder / "localhost.pem", folder / "localhost-key.pem")
    if _usable(files, now):
        return files, False
    authority, certificate, key = _made(now)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"The folder {folder} cannot be made: {error.strerror or error}.") from None
    write_file(files.key, key)  # a new file is the user's alone from its first byte
    files.key.chmod(0o600)
    write_file(files.certificate, certificate)
    write_file(files.authority, authority)
    return files, True


def token(files: Files) -> str:
    """Return what each request must carry: made from the private key, so it outlives a restart and is stored nowhere."""
    return hmac.new(files.key.read_bytes(), b"mlsim request token", hashlib.sha256).hexdigest()


def trust_step(files: Files) -> str:
    """Return what a person does, once, to trust the authority on this system; MLSIM never does it itself."""
    system, path = platform.system(), str(files.authority)
    if system == "Windows":
        return f'certutil -user -addstore Root "{path}"'
    if system == "Darwin":
        keychain = "~/Library/Keychains/login.keychain-db"
        return f"security add-trusted-cert -r trustRoot -p ssl -k {keychain} {shlex.quote(path)}"
    return f"in the browser's settings, under Certificates, Authorities: import {path}"


def _usable(files: Files, now: datetime) -> bool:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        authority, certificate = (
            x509.load_pem_x509_certificate(path.read_bytes()) for path in (files.authority, files.certificate)
        )
        certificate.verify_directly_issued_by(authority)
        key = load_pem_private_key(files.key.read_bytes(), None)
    except Exception:  # missing, cut short, of another authority: whatever it is, new ones are right
        return False
    ends = min(authority.not_valid_after_utc, certificate.not_valid_after_utc)
    starts = certificate.not_valid_before_utc
    return key.public_key() == certificate.public_key() and starts <= now < ends - RENEW


def _made(now: datetime) -> tuple[bytes, bytes, bytes]:
    """Return a new authority, a certificate it signed, and that one's key, as PEM."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
    from cryptography.x509.oid import ExtendedKeyUsageOID

    signer, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    issuer = _name(f"MLSIM on this machine only, {now:%Y-%m-%d}")
    own = [x509.DNSName(name) for name in NAMES]
    networks = [x509.IPAddress(ip_network(address)) for address in ADDRESSES]
    authority = (
        _builder(issuer, issuer, signer, signer, now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.NameConstraints([*own, *networks], None), critical=True)
        .add_extension(_usage(certificates=True), critical=True)
        .sign(signer, _hash())
    )
    certificate = (
        _builder(_name("localhost"), issuer, key, signer, now)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([*own, *(x509.IPAddress(ip_address(a)) for a in ADDRESSES)]), critical=False
        )
        .add_extension(_usage(certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(signer, _hash())
    )
    return (
        authority.public_bytes(Encoding.PEM),
        certificate.public_bytes(Encoding.PEM),
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )


def _name(text: str) -> x509.Name:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: EllipticCurvePrivateKey, signer: EllipticCurvePrivateKey, now: datetime
) -> x509.CertificateBuilder:
    from cryptography import x509

    return (
        x509.CertificateBuilder(subject_name=subject, issuer_name=issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))  # clocks differ, even on one machine: a virtual one's
        .not_valid_after(now + timedelta(days=DAYS))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )


def _usage(certificates: bool) -> x509.KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not certificates, key_cert_sign=certificates, crl_sign=certificates, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _hash() -> SHA256:
    from cryptography.hazmat.primitives.hashes import SHA256

    return SHA256()
