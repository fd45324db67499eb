#!/usr/bin/env python3
"""Mails are handed to aiosmtpd: with STARTTLS, with TLS from the first byte and in plain text; with right and wrong
logins; to a server whose certificate is another's; in every byte that mail may hold.

Exit: 0 all is well, 1 it is not, 77 aiosmtpd is missing.
"""

import os
import ssl
import subprocess
import sys
import tempfile

try:
    from aiosmtpd.controller import Controller
    from aiosmtpd.smtp import AuthResult, LoginPassword
except ImportError:
    print("skipped: there is no aiosmtpd (python3-aiosmtpd)")
    sys.exit(77)

MAIL = "Subject: s\r\n\r\n.\r\n..two\r\nfrom here on =C3=BC\r\n" + "x" * 900 + "\r\n"
USER, PASSWORD = "user", "pass w\u00f6rd"


class Box:
    def __init__(self):
        self.mails = []

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody@"):
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.mails.append((envelope.mail_from, envelope.rcpt_tos, envelope.content, session.ssl is not None))
        return "250 taken"


def authenticate(server, session, envelope, mechanism, data):
    fine = (mechanism in ("PLAIN", "LOGIN") and isinstance(data, LoginPassword)
            and data == LoginPassword(USER.encode(), PASSWORD.encode()))
    return AuthResult(success=fine, handled=fine)


def certificate(folder, address):
    key, cert = os.path.join(folder, address + ".key"), os.path.join(folder, address + ".pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", key, "-out",
                    cert, "-subj", "/CN=mail", "-addext", "subjectAltName=IP:" + address],
                   check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return cert, context


class OnFreePort(Controller):
    """Its own probe after the start asks for the port that the kernel chose."""

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


class Server:
    """aiosmtpd on a free port, for the life of a `with`."""

    def __init__(self, box, **options):
        implicit = options.pop("implicit", None)
        self.controller = OnFreePort(box, hostname="127.0.0.1", port=0, ready_timeout=30, ssl_context=implicit,
                                     **options)

    def __enter__(self):
        self.controller.start()
        return self.controller.port

    def __exit__(self, *_):
        self.controller.stop()


def send(port, mode, ca, user="", password="", secret="", to=("a@b.test",), text=MAIL):
    done = subprocess.run([os.environ["SEND_MAIL_ONCE"], str(port), mode, ca, user, password, secret, *to],
                          input=text.encode(), capture_output=True, timeout=30, check=False)
    return done.stdout.decode().strip()


def expect(what, seen, wanted):
    if seen != wanted:
        print(f"{what}: {seen!r} where {wanted!r} was expected")
        sys.exit(1)


def expect_in(what, seen, part):
    if part not in seen:
        print(f"{what}: {seen!r} lacks {part!r}")
        sys.exit(1)


def main():
    with tempfile.TemporaryDirectory(prefix="binnacle-smtp-") as folder:
        ca, tls = certificate(folder, "127.0.0.1")
        other_ca, _ = certificate(folder, "127.0.0.2")
        box = Box()
        guarded = {"tls_context": tls, "require_starttls": True, "authenticator": authenticate, "auth_required": True}
        with Server(box, **guarded) as port:
            expect("STARTTLS and login", send(port, "starttls", ca, USER, PASSWORD, to=("a@b.test", "c@d.test")), "sent")
            expect("mail", box.mails.pop(), ("from@host.test", ["a@b.test", "c@d.test"], MAIL.encode(), True))
            expect_in("wrong password", send(port, "starttls", ca, USER, "wrong"), "535")
            expect_in("no login", send(port, "starttls", ca), "530")
            expect_in("in plain text", send(port, "plain", ca), "530")
            expect_in("another's certificate", send(port, "starttls", other_ca), "certificate")
            expect_in("no mailbox", send(port, "starttls", ca, USER, PASSWORD, to=("nobody@b.test",)), "550 5.1.1")
        with Server(box, **guarded, auth_exclude_mechanism=["PLAIN"]) as port:
            expect("login by questions", send(port, "starttls", ca, USER, PASSWORD), "sent")
        with Server(box, implicit=tls) as port:
            expect("TLS from the first byte", send(port, "tls", ca), "sent")
        with Server(box) as port:
            expect("plain text", send(port, "plain", ca), "sent")
            expect_in("no STARTTLS", send(port, "starttls", ca), "does not offer STARTTLS")
        with Server(box, data_size_limit=100) as port:
            expect_in("too large", send(port, "plain", ca), "552")
        expect("mails", len(box.mails), 3)
    print("ok")


main()
