"""Two systems with one AE title and two addresses, over real associations."""

from pathlib import Path

import pydicom

from tests.support.node_process import NodeProcess, Sink, send, series_uid
from tests.support.peers import write_series


def test_each_gets_the_results_of_what_it_sent(ct_folder: Path, tmp_path: Path) -> None:
    paths = sorted(ct_folder.glob("*.dcm"))[:6]
    sinks = {"127.0.0.1": Sink(), "127.0.0.2": Sink("127.0.0.2")}
    peers = [
        {"name": f"tps{ip[-1]}", "ae_title": "TPS", "ip": ip, "port": sink.port}
        for ip, sink in sinks.items()
    ]
    node = NodeProcess(tmp_path / "node", pipeline="blur", peers=peers).start()
    studies = {ip: write_series(paths, tmp_path / ip) for ip in sinks}
    for ip in ("127.0.0.2", "127.0.0.1"):
        send(node, studies[ip], comes_from=ip)
    unknown = write_series(paths, tmp_path / "unknown")
    send(node, unknown, comes_from="127.0.0.3")
    for ip, sink in sinks.items():
        sent = {str(pydicom.dcmread(path).SOPInstanceUID) for path in studies[ip]}
        came = sink.wait_for(1)
        assert {one.SourceImageSequence[0].ReferencedSOPInstanceUID for one in came} == sent
    history = node.wait_for_state(series_uid(unknown), "held")
    assert "tps1 from 127.0.0.1; tps2 from 127.0.0.2" in history.reason
    assert node.stop() == 0
    assert [sink.released for sink in sinks.values()] == [1, 1]
    for sink in sinks.values():
        sink.close()
