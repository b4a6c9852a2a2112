"""Erlang's formulas against textbook tables, sums and limits."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsim.physics.queueing import erlang_b, erlang_c, wait_mean, wait_quantile

servers = st.integers(1, 200)
used = st.floats(0.01, 0.99)


def test_textbook_values() -> None:
    assert erlang_b(5, 3) == pytest.approx(0.1101, abs=5e-5)  # 2.025 / 18.4
    assert erlang_c(5, 3) == pytest.approx(0.2362, abs=5e-5)
    assert erlang_b(2, 1) == pytest.approx(0.2)  # (1/2) / (1 + 1 + 1/2)
    assert erlang_c(2, 1) == pytest.approx(1 / 3)
    assert erlang_b(10, 5) == pytest.approx(0.0184, abs=5e-5)


@given(st.integers(0, 20), st.floats(0.01, 30.0))
def test_loss_formula_is_its_sum(c: int, a: float) -> None:
    terms = [a**k / math.factorial(k) for k in range(c + 1)]
    assert erlang_b(c, a) == pytest.approx(terms[-1] / sum(terms))


@given(used)
def test_one_server_waits_as_often_as_it_is_busy(rho: float) -> None:
    assert erlang_c(1, rho) == pytest.approx(rho)


@given(used, st.floats(0.01, 100.0))
def test_mean_wait_of_one_server(rho: float, service: float) -> None:
    rate = 1.0 / service
    assert wait_mean(1, rho, service) == pytest.approx(rho / (rate - rho * rate))


def test_an_idle_or_missing_server() -> None:
    assert erlang_b(3, 0) == 0
    assert erlang_c(3, 0) == 0
    assert erlang_b(0, 2) == 1


def test_overloaded_servers_wait_for_ever() -> None:
    assert erlang_c(2, 3) == 1
    assert wait_mean(2, 3, 1.0) == np.inf
    assert wait_mean(2, 2, 1.0) == np.inf
    assert wait_quantile(2, 3, 1.0, 0.5) == np.inf


@given(servers, used)
def test_waiting_is_more_likely_than_loss(c: int, rho: float) -> None:
    assert 0 <= erlang_b(c, rho * c) <= erlang_c(c, rho * c) <= 1


@given(st.integers(1, 50), st.floats(0.3, 0.99))
def test_one_server_more_shortens_the_wait(c: int, rho: float) -> None:
    assert wait_mean(c + 1, rho * c, 1.0) < wait_mean(c, rho * c, 1.0)


def test_a_quantile_by_hand() -> None:
    # one server, half busy: C = 1/2, P(W > t) = exp(-t/2) / 2, so 90 % wait at most 2 ln 5
    assert wait_quantile(1, 0.5, 1.0, 0.9) == pytest.approx(2 * math.log(5))
    assert wait_quantile(1, 0.5, 1.0, 0.4) == 0  # half of them do not wait at all


@given(servers, used, st.floats(0.0, 0.999), st.floats(0.0, 0.999))
def test_a_quantile_grows_with_its_share(c: int, rho: float, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert wait_quantile(c, rho * c, 1.0, low) <= wait_quantile(c, rho * c, 1.0, high) * (1 + 1e-9)


@given(servers, used, st.floats(0.5, 0.999))
def test_the_chance_of_a_longer_wait_is_what_the_quantile_leaves(c: int, rho: float, q: float) -> None:
    a = rho * c
    t = wait_quantile(c, a, 1.0, q)
    longer = erlang_c(c, a) * math.exp(-(c - a) * t)
    assert longer <= (1 - q) * (1 + 1e-6)


def test_many_servers_stay_finite() -> None:
    assert 0 < erlang_c(4096, 4000) < 1
    assert 0 <= erlang_b(4096, 10.0) < 1e-300


def test_arrays_agree_with_scalars() -> None:
    c, a = np.array([1, 2, 5, 20]), np.array([0.5, 1.5, 3.0, 25.0])
    for law in (erlang_b, erlang_c):
        assert law(c, a).tolist() == [float(law(*x)) for x in zip(c, a, strict=True)]
    assert wait_quantile(c, a, 2.0, 0.9).tolist() == [
        float(wait_quantile(*x, 2.0, 0.9)) for x in zip(c, a, strict=True)
    ]
