"""A stand-in for Microsoft Entra ID: a small OpenID Connect issuer. It is NOT a sign-in: it asks nobody for a password.

`python -m devstack.sign_in` serves, under the issuer's address (`http://127.0.0.1:PORT/<directory>/v2.0`):

- `/.well-known/openid-configuration` and `/keys` (RS256), as OpenID Connect Discovery 1.0 and RFC 7517 say;
- `/authorize`: authorization code with PKCE (RFC 7636); the page lists the people that are known, and one is picked;
- `/token`: an id token and an access token, with the claims of Entra's version 2.0
  (https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference);
- `/logout`: goes back to `post_logout_redirect_uri`.

Beside it is `/_control`, the door by which tests name people, get tokens, right and wrong ones, change keys, and take
the issuer down: see `devstack/sign_in/control.py`.

| Person | `oid` |
|---|---|
| `super-admin` | db8b9f35-c292-5fc6-a253-9a227cd69946 |
| `tenant-admin` | cd95850c-bda4-500f-9498-e0c2a024f5e2 |
| `manager` | 66ae1d4c-2f67-55ba-9644-858727a9bd74 |
| `staff` | f07be539-e489-5f8f-b9c2-2b3ccfb9ff96 |
| `viewer` | 9b20f8f8-0633-50ae-9de3-3405395ef330 |

What they may do is not known here: the app's own grants say it, by `oid`.

As in Entra the issuer's name has a path, and `sub` is not the `oid`: who builds on the opposite sees it here.
Differs on purpose: the app is a public client without a secret, every sign-in asks anew who you are, and there are no
refresh tokens, so a sign-in ends when its tokens do.
"""
