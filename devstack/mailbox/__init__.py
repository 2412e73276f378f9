"""A stand-in for whoever the app writes to: a mail server and a receiver of webhooks. Nothing that comes goes further.

`python -m devstack.mailbox` serves, in one process:

- SMTP on a port of its own, plain, with STARTTLS offered and a sign-in that is optional (`mailbox` / `not-a-secret`);
- SMTP under TLS from the first byte on another port, with the same certificate of its own making;
- over http `/hooks/{name}`: takes any request to any name and keeps it whole;
- over http `/_control`: what came, and what is to go wrong, see `devstack/mailbox/control.py`.

The real ones are a mail server (RFC 5321) and customers' own receivers (https://www.standardwebhooks.com).
Differs on purpose: signatures are not checked here, the tests do that with what came.
"""
