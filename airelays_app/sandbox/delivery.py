"""Sends an answer the way its plan says: streams frame by frame, buffered answers whole."""

import gzip
from collections.abc import Iterable
from dataclasses import replace

from airelays_app.sandbox.exchange import Answer, Exchange, Headers
from airelays_app.sandbox.plan import Frame, Halt, Plan


def settle_early(exchange: Exchange, plan: Plan) -> bool:
    """Do what a plan asks for before the request is looked at; True if that was the answer."""
    exchange.wait(plan.late)
    if plan.reset:
        exchange.reset()
    if plan.raw is not None:
        exchange.raw(plan.raw)
        exchange.hang_up()
    return plan.reset or plan.raw is not None


def deliver_stream(
    exchange: Exchange, frames: Iterable[Frame], headers: Headers, plan: Plan
) -> None:
    """Send ``frames`` one write each, to their end or to where the plan breaks them off."""
    exchange.open_stream(headers, chunked=plan.chunked)
    sent = -1
    for frame in frames:
        if plan.halt and (sent >= plan.halt.deltas or frame.kind == "terminal"):
            plan.halt.act(exchange, _rewritten(frame, plan))
            return
        if frame.kind == "delta":
            exchange.wait(plan.pause)
        _send(exchange, _rewritten(frame, plan).data, one_byte=plan.one_byte)
        sent = max(sent, 0) + (frame.kind == "delta")
    exchange.finish_stream()


def deliver_answer(exchange: Exchange, answer: Answer, plan: Plan) -> None:
    """Send a buffered answer, compressed or broken off if the plan says so."""
    exchange.wait(plan.pause)
    if plan.gzip:
        encoding = ("content-encoding", "gzip")
        answer = replace(
            answer, body=gzip.compress(answer.body), headers=(*answer.headers, encoding)
        )
    if plan.halt:
        _break_off(exchange, answer, plan.halt)
        return
    exchange.answer(answer)


def _break_off(exchange: Exchange, answer: Answer, halt: Halt) -> None:
    exchange.begin_answer(answer)
    if halt.deltas >= 0:
        exchange.raw(answer.body[: len(answer.body) // 2])
    halt.act(exchange, Frame("other", b""))
    exchange.hang_up()


def _rewritten(frame: Frame, plan: Plan) -> Frame:
    data = frame.data
    for change in plan.rewrite:
        data = change(data)
    return replace(frame, data=data.replace(b"\n", plan.line_end))


def _send(exchange: Exchange, data: bytes, *, one_byte: bool) -> None:
    if not one_byte:
        exchange.send(data)
        return
    for start in range(len(data)):
        exchange.send(data[start : start + 1])
