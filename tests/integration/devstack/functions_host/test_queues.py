"""Queue triggers and queue outputs behave as under Azure's storage extension."""

import base64
from datetime import datetime, timedelta

from azure.core.exceptions import ResourceNotFoundError

from devstack.azurite import Azurite
from devstack.host.queues import Pauses
from tests.integration.devstack.functions_host.sample_host import SampleHost, until


def test_a_message_arrives_as_a_queue_message_with_its_metadata(sample: SampleHost) -> None:
    """The function gets azure.functions.QueueMessage with id, counts and times, and a context."""
    sample.start()
    text = 'é <b> & "\r\n'
    sent_id = sample.put("in", text)
    [seen] = sample.noted("keeper", phase="ended") and sample.notes("keeper", phase="began")
    assert (seen["text"], seen["type"]) == (text, "azure.functions.queue.QueueMessage")
    assert (seen["id"], seen["dequeue_count"], seen["has_receipt"]) == (sent_id, 1, True)
    inserted, expires, visible = (
        datetime.fromisoformat(seen[name]) for name in ("inserted", "expires", "next_visible")
    )
    assert expires - inserted == timedelta(days=7)
    assert visible - inserted >= timedelta(minutes=10)
    assert seen["said_function"] == "keeper"
    assert len(seen["invocation"]) == 36


def test_a_message_that_succeeded_is_deleted(sample: SampleHost) -> None:
    sample.start()
    sample.put("in", "once")
    sample.noted("keeper", phase="ended")
    sample.emptied("in")
    assert len(sample.notes("keeper", phase="began")) == 1


def test_a_failed_message_comes_again_and_ends_in_the_poison_queue(sample: SampleHost) -> None:
    """It runs maxDequeueCount times with a growing count, then its text goes to `-poison` unchanged."""
    sample.start()
    text = "fail <&> \r\n é"
    sample.put("in", text)
    [buried] = sample.noted("undertaker")
    assert [line["dequeue_count"] for line in sample.notes("keeper", phase="began")] == [1, 2, 3]
    assert (buried["text"], buried["dequeue_count"]) == (text, 1)
    sample.emptied("in")
    assert sample.log().count("RuntimeError: told to fail") == 3


def test_a_failed_message_waits_for_the_visibility_timeout(sample: SampleHost) -> None:
    sample.start(queues={"visibilityTimeout": "00:00:02"})
    sample.put("in", "fail")
    first, second = sample.noted("keeper", 2, phase="began")[:2]
    # Azurite keeps whole seconds, so up to one of the two may be missing.
    assert second["when"] - first["when"] >= 1


def test_a_failing_poison_message_stays_hidden_and_is_given_up_silently(sample: SampleHost) -> None:
    """A poison queue has none of its own: no quick retries, and none after maxDequeueCount deliveries."""
    sample.start("--hidden", "1")
    sample.put("in-poison", "undead")
    queue = sample.queue("in-poison")
    until(lambda: any((one.dequeue_count or 0) > 4 for one in queue.peek_messages()), "a fifth delivery")
    assert [line["dequeue_count"] for line in sample.notes("undertaker")] == [1, 2, 3]
    assert sample.waiting("in-poison") == 1


def test_at_most_24_messages_run_at_once_and_the_next_batch_waits_for_8(sample: SampleHost) -> None:
    """With batchSize 16 and newBatchThreshold 8: 16 at first, 24 when 8 of them are left, and never more."""
    sample.queue("in").create_queue()
    for number in range(60):
        sample.put("in", f"hold {number}")
    sample.start()
    sample.noted("keeper", 16, phase="began")
    sample.open_gate(8)
    sample.noted("keeper", 16 + 16, phase="began")
    sample.open_gate()
    sample.noted("keeper", 60, phase="ended")
    running, most, before_batches = 0, 0, []
    phases = [line["phase"] for line in sample.notes("keeper")]
    for previous, phase in zip(["ended", *phases], phases, strict=False):
        if (previous, phase) == ("ended", "began"):
            before_batches.append(running)
        running += 1 if phase == "began" else -1
        most = max(most, running)
    assert most == 24
    assert max(before_batches) == 8


def test_a_long_run_keeps_its_message_hidden(sample: SampleHost) -> None:
    """The message is hidden again at half time, so that nobody else gets it while it runs."""
    sample.start("--hidden", "2")
    sample.put("in", "hold")
    sample.noted("keeper", phase="began", text="hold")
    for number in range(4):
        # Each is visible a second of the queue's own clock after the one before was seen.
        sample.put("in", f"second {number}", hidden_seconds=1)
        sample.noted("keeper", phase="ended", text=f"second {number}")
    sample.open_gate()
    sample.noted("keeper", phase="ended", text="hold")
    sample.emptied("in")
    assert len(sample.notes("keeper", phase="began", text="hold")) == 1


def test_base64_texts_are_decoded_and_others_go_to_the_poison_queue(sample: SampleHost) -> None:
    """With messageEncoding base64 a plain text never reaches its function; poison keeps it as it was."""
    host = sample.start("--hidden", "1", queues={"messageEncoding": "base64"})
    plain = "aGVs,bG8h"  # base64 but for the comma
    sample.put("in", plain)
    sample.put_base64("in", "encoded é")
    sample.put("in", "aGVs\nbG8h\n")
    sample.noted("keeper", phase="ended", text="encoded é")
    sample.noted("keeper", phase="ended", text="hello!")
    until(lambda: sample.waiting("in-poison") == 1, "the plain text in the poison queue")
    sample.emptied("in")
    assert len(sample.notes("keeper", phase="began")) == 2
    host.stop()
    sample.start("--hidden", "1")
    sample.noted("undertaker", text=plain)


def test_outputs_are_put_on_their_queues(sample: SampleHost) -> None:
    """A `func.Out` with a list gives a message each, `$return` one; base64 encodes them."""
    host = sample.start()
    sample.put("relay", "a")
    assert sample.texts("copies", 2) == ["a 2", "a <1> & \r\n"]
    assert sample.texts("returned", 1) == ["relayed a"]
    host.stop()
    sample.queue("returned").clear_messages()
    sample.start(queues={"messageEncoding": "base64"})
    sample.put_base64("relay", "b")
    assert sample.texts("returned", 1) == [base64.b64encode(b"relayed b").decode()]


def test_a_failed_run_puts_nothing_out(sample: SampleHost) -> None:
    sample.start()
    sample.put("relay", "fail")
    assert sample.texts("relay-poison", 1) == ["fail"]
    assert sample.waiting_or_none("copies") in {None, 0}


def test_async_functions_run_on_the_loop_and_others_in_threads(sample: SampleHost) -> None:
    sample.start()
    sample.put("in", "loop")
    sample.put("threads", "thread")
    assert sample.noted("keeper", phase="ended")[0]["on_loop"] is True
    assert sample.noted("worker")[0]["on_loop"] is False


def test_queues_are_made_when_missing_and_made_again_when_deleted(sample: SampleHost) -> None:
    sample.start()
    sample.put("in", "first")
    sample.noted("keeper", phase="ended", text="first")
    sample.queue("in").delete_queue()

    def put_second() -> bool:
        try:
            sample.put("in", "second")
        except ResourceNotFoundError:
            return False
        return True

    until(put_second, "the queue to be there again")
    sample.noted("keeper", phase="ended", text="second")


def test_a_restart_of_the_storage_is_survived(sample: SampleHost, storage: Azurite) -> None:
    sample.start()
    storage.restart(kill=True)
    until(lambda: sample.waiting_or_none("in") is not None, "the queue to be there again")
    sample.put("in", "after")
    sample.noted("keeper", phase="ended", text="after")


def test_pauses_double_from_100_ms_up_to_the_longest() -> None:
    """Random within a fifth, and short again after a message (RandomizedExponentialBackoffStrategy.cs)."""
    pauses = Pauses(timedelta(seconds=1))
    drawn = [pauses.next() for _ in range(7)]
    for pause, middle in zip(drawn, [0.1, 0.2, 0.3, 0.5, 0.9], strict=False):
        assert middle - 0.2 * (middle - 0.1) - 1e-9 <= pause <= min(1, middle + 0.2 * (middle - 0.1)) + 1e-9
    assert drawn[-1] == 1
    pauses.reset()
    assert pauses.next() == 0.1
