"""Stamps of packets stored in the order of decoding are exact, and increase as every container wants it."""

import random
from fractions import Fraction

import pytest

from vsr_core.video.reorder import packet_stamps
from vsr_core.video.time_base import fine_time_base, increasing_stamps

TICK = Fraction(1, 1000)


def stamps(milliseconds, period=40):
    return packet_stamps([Fraction(time, 1000) for time in milliseconds], TICK, Fraction(period, 1000))


def test_frames_stored_in_the_order_shown_are_decoded_when_they_are_shown():
    assert stamps([0, 40, 90, 100]) == [(0, 0, 40), (40, 40, 50), (90, 90, 10), (100, 100, 40)]


def test_a_frame_stored_early_delays_showing_behind_decoding():
    assert stamps([0, 120, 40, 80]) == [(0, -40, 40), (120, 0, 40), (40, 40, 40), (80, 80, 40)]


@pytest.mark.parametrize("seed", range(20))
def test_any_order_gives_increasing_times_of_decoding_never_after_those_of_showing(seed):
    rng = random.Random(seed)
    shown = sorted(rng.sample(range(-500, 5000), 60))
    mixed = [time for start in range(0, 60, 6) for time in rng.sample(shown[start : start + 6], 6)]
    found = stamps(mixed)
    assert [stamp.shown for stamp in found] == mixed
    decoded = [stamp.decoded for stamp in found]
    assert decoded == sorted(set(decoded))
    assert all(stamp.decoded <= stamp.shown for stamp in found)
    ends = {stamp.shown: stamp.shown + stamp.duration for stamp in found}
    assert [ends[time] for time in shown] == [*shown[1:], shown[-1] + 40]


def test_frames_closer_than_a_tick_stay_apart():
    times = [Fraction(0), Fraction(1, 4000), Fraction(2, 4000), Fraction(10, 1000)]
    assert increasing_stamps(times, TICK) == [0, 1, 2, 10]


@pytest.mark.parametrize("rate", [Fraction(24), Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60)])
@pytest.mark.parametrize("scale", [600, 1000, 12800, 24000, 90000])
def test_a_tick_divides_the_units_of_the_source_and_the_frame_period(scale, rate):
    tick = fine_time_base(Fraction(1, scale), rate)
    assert tick <= Fraction(1, 90000)
    assert (Fraction(1, scale) / tick).denominator == (1 / rate / tick).denominator == 1


def test_an_odd_average_rate_costs_nothing_of_the_units_of_the_source():
    assert fine_time_base(Fraction(1, 90000), Fraction(5393003, 179693)) == Fraction(1, 90000)
