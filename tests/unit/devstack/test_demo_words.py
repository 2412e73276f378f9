"""What the demo says can be done as it says it."""

import json
import shlex

from devstack.demo.people import MAILS_GO_TO, MAY
from devstack.demo.to_mend import POS_SKU, PRODUCT, how_to_mend, sale_to_mend
from devstack.sign_in.people import PEOPLE


def test_what_each_person_may_do_is_said() -> None:
    assert list(MAY) == [person.key for person in PEOPLE]
    assert MAILS_GO_TO in [person.user_name for person in PEOPLE]


def test_the_sale_to_mend_has_the_tills_own_number_and_the_right_barcode() -> None:
    """So that nobody but a person can say what it is, and the suggestion is right."""
    [line] = sale_to_mend().transaction["items"]
    assert (line["sku"], line["upc"]) == (POS_SKU, PRODUCT.upc)
    assert "ocs_sku" not in line


def test_the_command_that_mends_it_is_a_good_one() -> None:
    said = "\n".join(how_to_mend("http://here/page", "http://here/api", "http://there/_control"))
    words = shlex.split(said[said.index("curl") :].replace("$(curl -s ", "(").replace("\\\n", " "))
    assert words[:4] == ["curl", "-X", "PUT", f"http://here/api/tenants/CROL1000001/mappings/{POS_SKU}"]
    assert "Authorization: Bearer (http://there/_control/tokens/manager)" in words
    assert json.loads(words[-1]) == {"ocs_sku": PRODUCT.ocs_sku, "upc": PRODUCT.upc}
    assert "http://here/page/stores/CRSA1000001" in said
