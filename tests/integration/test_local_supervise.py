"""The demo's supervisor with small programs: ready, restarted, refused, ended, and nothing left behind."""

from __future__ import annotations

import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import psutil

from xiangyue.local import processes
from xiangyue.local.servers import EmbeddedServers
from xiangyue.testing.homes import read_until, script, server_processes, wait_until

# A plan like the demo's, of small programs: a step, a web server, and a service that spawns a child.
DEMO = """
    import sys, time
    from pathlib import Path
    from xiangyue.config import Settings
    from xiangyue.local.children import Program
    from xiangyue.local.plan import Plan
    from xiangyue.local.supervise import supervise

    home, port, step_seconds = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    web = '''
    import http.server, os
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/readyz" else 404); self.end_headers()
    http.server.HTTPServer(("127.0.0.1", int(os.environ["XIANGYUE_PORT"])), Handler).serve_forever()
    '''
    spawner = '''
    import signal, subprocess, sys, time
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    subprocess.Popen([sys.executable, "-c", "import os, time; os.setpgrp(); time.sleep(600)"])
    time.sleep(600)
    '''
    import textwrap
    def program(name, source, seconds=12.0):
        return Program(name, (sys.executable, "-c", textwrap.dedent(source)), seconds)
    plan = Plan(
        every_time=(program("migrate", "print('migrated')"),),
        once=(program("seed", f"import os, time; time.sleep({step_seconds})"),),
        services=(program("web", web), program("stubborn", spawner, 0.2)),
        fingerprint="1",
        banner=lambda settings: [settings.address("hanyin.localhost")],
    )
    sys.exit(supervise(Settings.load({}, home=home, port=port), plan))
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def descendants(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def test_a_demo_gets_ready_restarts_the_dead_and_leaves_nothing_behind(homes: Callable[..., Path]) -> None:
    home, port = homes(), free_port()
    with script(DEMO, home, port, 0) as demo:
        first = read_until(demo, "ready")
        assert f"http://hanyin.localhost:{port}" in first
        assert "seed …" in first

        web = next(p for p in descendants(demo) if "serve_forever" in " ".join(p.cmdline()))
        web.kill()
        postmaster = EmbeddedServers(home).postgres.postmaster()
        assert postmaster is not None
        postmaster.kill()
        assert demo.stdout is not None
        told = " ".join(demo.stdout.readline() + demo.stdout.readline() for _ in range(1))
        assert "web ended (signal SIGKILL); starting it again in 0.5 s" in told
        assert "postgres had ended; it runs again" in told

        # Its port is its own again before somebody else asks for it.
        wait_until(lambda: answers(port))

        # A second demo in this home, and one on this port, each say what is in the way.
        with script(DEMO, home, free_port(), 0) as again:
            out, _ = again.communicate(timeout=20)
            assert (again.returncode, f"(process {demo.pid})" in out) == (1, True)
        with script(DEMO, homes("other", fresh=True), port, 0) as busy:
            out, _ = busy.communicate(timeout=20)
            assert busy.returncode == 1
            assert f"Port {port} on 127.0.0.1 cannot be used" in out
            assert "variable PORT" in out

        everyone = [*descendants(demo), *server_processes(home)]
        assert len(everyone) > 5
        demo.terminate()
        assert demo.wait(30) == 0
        assert processes.wait_gone(everyone, 0) == []
        assert server_processes(home) == []

    # Prepared already: the second start does not seed again.
    with script(DEMO, home, port, 600) as demo:
        lines = read_until(demo, "ready")
        assert "seed …" not in lines
        demo.send_signal(signal.SIGINT)
        assert demo.wait(30) == 0
    assert server_processes(home) == []


def test_sigterm_while_starting_leaves_nothing_behind(homes: Callable[..., Path]) -> None:
    home = homes()
    with script(DEMO, home, free_port(), 600) as demo:
        read_until(demo, "seed …")
        everyone = [*descendants(demo), *server_processes(home)]
        demo.terminate()
        assert demo.wait(30) == 0
        assert processes.wait_gone(everyone, 0) == []
    assert server_processes(home) == []
    assert not (home / "demo-ready").exists()


def test_after_a_killed_supervisor_the_next_demo_takes_over(homes: Callable[..., Path]) -> None:
    home, port = homes(), free_port()
    with script(DEMO, home, port, 0) as demo:
        read_until(demo, "ready")
        web = next(p for p in descendants(demo) if "serve_forever" in " ".join(p.cmdline()))
        postmaster = EmbeddedServers(home).postgres.postmaster()
        stubborn = [p for p in descendants(demo) if p.pid != web.pid]
        demo.kill()
        demo.wait(20)
    for process in stubborn:
        process.kill()
    wait_until(lambda: not processes.alive(web))

    with script(DEMO, home, port, 0) as demo:
        read_until(demo, "ready")
        assert EmbeddedServers(home).postgres.postmaster() == postmaster
        demo.terminate()
        assert demo.wait(30) == 0
    assert server_processes(home) == []


def test_a_failing_step_shows_its_output_and_ends_everything(homes: Callable[..., Path]) -> None:
    home = homes()
    with script(DEMO, home, free_port(), "int('no number')") as demo:
        out, _ = demo.communicate(timeout=30)
    assert demo.returncode == 1
    assert "seed failed" in out
    assert "ValueError" in out
    assert server_processes(home) == []
