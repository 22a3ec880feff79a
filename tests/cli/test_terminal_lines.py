"""Lines are read as they arrive, never waited for, and only from a terminal."""

import io
import os
import pty

from airelays_app.cli.terminal_lines import TerminalLines


def test_whole_lines_arrive_and_the_end_is_the_end():
    controller, terminal = pty.openpty()
    with os.fdopen(terminal) as stream:
        lines = TerminalLines(stream)
        assert lines.arrived() == []
        os.write(controller, b"one\ntwo\nthr")
        assert lines.arrived() == ["one", "two"]
        os.write(controller, b"ee\n\xff\n")
        assert lines.arrived() == ["three", "\ufffd"]
        os.write(controller, b"\x04")
        assert lines.arrived() == []
        assert lines.arrived() == []
    os.close(controller)


def test_what_is_no_terminal_has_no_lines(tmp_path):
    assert TerminalLines(io.StringIO("x\n")).arrived() == []
    closed = io.StringIO()
    closed.close()
    assert TerminalLines(closed).arrived() == []
