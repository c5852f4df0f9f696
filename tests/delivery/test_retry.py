"""The back-off doubles up to its ceiling, jitters over the whole range, and starts again."""

from flywheel_log.delivery.retry import Backoff


def test_the_ceiling_doubles_from_a_tenth_of_a_second_to_thirty():
    backoff = Backoff(lambda: 1.0)
    assert [backoff.delay() for _ in range(11)] == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0, 30.0]


def test_the_jitter_covers_the_whole_range():
    backoff = Backoff(iter([0.0, 0.5]).__next__)
    assert [backoff.delay(), backoff.delay()] == [0.0, 0.1]


def test_what_the_other_side_asked_for_comes_on_top():
    assert Backoff(lambda: 0.5).delay(at_least=7.0) == 7.05


def test_a_success_starts_again():
    backoff = Backoff(lambda: 1.0)
    backoff.delay()
    backoff.delay()
    backoff.reset()
    assert backoff.delay() == 0.1
