"""What the demo prints first: where everything is, and how to sign in as whom."""

from devstack.demo.people import MAILS_GO_TO, MAY
from devstack.demo.retailer import CROL
from devstack.sign_in.people import PEOPLE
from devstack.stack import Stack


def where(stack: Stack, host_url: str, pos_key: str) -> list[str]:
    """Give the lines to print; `pos_key` is a key with which tills post their sales."""
    control = stack.sign_in.control
    token = f'"Authorization: Bearer $(curl -s {control}/tokens/ROLE)"'
    people = [f"    {one.name:<18} {one.key:<13} {MAY[one.key]}" for one in PEOPLE]
    return [
        "",
        f"  The page for staff        {host_url}/api/dashboard",
        "  Sign in there as (pick a name, there are no passwords; a stand-in, NOT Microsoft Entra ID):",
        *people,
        f"  By API, as ROLE of these  curl -H {token} {host_url}/api/ocs/status/{CROL}",
        f"  All routes                {host_url}/api/ocs/docs",
        f"  Post a sale to            {host_url}/api/ocs/transactions  (Ocs-Key: {pos_key})",
        f"  Is the app well?          {host_url}/api/health/ready",
        f"  The regulator stand-in    {stack.regulator_url}/_control/ledger  (NOT the real platform)",
        f"  Mails of alerts           {stack.mailbox.control}/mails  (to {MAILS_GO_TO}; they go no further)",
        "",
    ]
