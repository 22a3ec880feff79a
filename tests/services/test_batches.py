"""A batch's results are read line by line, never all at once."""

from airelays_app.services.batch_files import LineStream


def test_lines_come_whole_and_in_order_as_they_are_asked_for():
    made = []

    def lines():
        for number in range(100):
            made.append(number)
            yield b"%d\n" % number

    stream = LineStream(lines())
    assert stream.read(3) == b"0\n1\n"
    assert made == [0, 1]
    rest = b"".join(iter(lambda: stream.read(50), b""))
    assert rest == b"".join(b"%d\n" % number for number in range(2, 100))
