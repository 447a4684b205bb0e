"""A case whose results wait for a person says so, and lets them go."""

import re
from pathlib import Path

from node.commands import carry_out
from node.ledger.schema import deliveries
from tests.support.web.clinic import open_clinic
from tests.support.web.serving import serving
from tests.web.pages.reading import page, section


def test_results_that_wait_for_a_person_are_on_the_first_page_and_go_when_released(
    tmp_path: Path, cine_folder: Path
) -> None:
    pacs = {"name": "tps", "ae_title": "TPS", "ip": "127.0.0.1", "port": 104}
    rule = {"pipeline": "unet", "destinations": ["pacs"]}
    elsewhere = pacs | {"name": "pacs", "ae_title": "PACS", "ip": "192.0.2.7"}
    clinic = open_clinic(tmp_path, peers=[pacs, elsewhere], rules=[rule], pipeline=None)
    number = clinic.receive([cine_folder / f"{one}.dcm" for one in (89, 99, 109, 119)])
    clinic.run()
    with serving(clinic.configuration) as served, served.client() as client:
        assert f'href="/cases/{number}"' in section(page(client, "/"), "held")
        text = page(client, f"/cases/{number}")
        assert "model left_ventricle is for demonstration" in text
        assert re.findall(r'data-ask="sure-(\w+)"', text) == ["release", "run", "cancel"]
        assert "The results leave this machine." in text
        token = re.search(r'name="csrf_token" value="(\w+)"', text)
        assert token is not None
        client.post(f"/cases/{number}/release", data={"csrf_token": token[1]})
        carry_out(clinic.completion.ledger)
        assert f'href="/cases/{number}"' not in section(page(client, "/"), "held")
    with clinic.completion.ledger.reading() as connection:
        states = set(connection.scalars(deliveries.select().with_only_columns(deliveries.c.state)))
    assert states == {"waiting"}
