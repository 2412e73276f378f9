"""A stand-in for App Service Authentication ("Easy Auth") with Microsoft Entra ID, in front of the host's HTTP side.

As in Azure, anonymous requests pass ("allow unauthenticated access"), and what is known of a signed-in browser reaches
the app in request headers that nobody outside can set. Sources:
https://learn.microsoft.com/azure/app-service/configure-authentication-customize-sign-in-out (addresses, redirects),
https://learn.microsoft.com/azure/app-service/configure-authentication-user-identities (headers, the client principal),
https://learn.microsoft.com/azure/app-service/configure-authentication-oauth-tokens (token headers, `/.auth/me`).

Differs on purpose: authorization code with PKCE and no client secret; cookies without `Secure`, since the host speaks
plain http. Left out: `/.auth/refresh`, client-directed sign-in, other identity providers, checking of bearer tokens
(they pass to the app unread).
"""
