"""A job on AWS is killed at each step of its commit, and the next one makes it exact."""

import threading

from conftest import keys
from servers import Api, Front, begins_commit


def test_killed_at_each_step_of_the_commit(aws, paceline):
    with Api() as api:
        steps = 0
        while kill_at(steps + 1, aws, paceline, api):
            steps += 1
    # The manifest twice or more, _SUCCESS gone, two files completed, old ones gone, _SUCCESS, the job's folder gone.
    assert steps >= 9


def kill_at(step, aws, paceline, api):
    """Kills the job when a step is done but not answered, and runs it again, in turn under its id and another. Returns
    whether there was such a step."""
    for name in aws.names():
        aws.s3.delete_object(Bucket=aws.target, Key=f"enriched/{name}")
    for name in ("part-old.json", "_SUCCESS"):
        aws.s3.put_object(Bucket=aws.target, Key=f"enriched/{name}", Body=b"")
    run = paceline.job(aws, api.url, "--conf", "paceline.partitions=1")
    with Front(aws.port, hold=step) as front:
        job = paceline.start(*run, "--job-id", "nightly", **keys(front.url))

        def ended():
            job.communicate()
            front.happened.set()

        watcher = threading.Thread(target=ended)
        watcher.start()
        assert front.happened.wait(60), "the job neither ends nor commits"
        killed = front.held
        if killed:
            job.kill()
        watcher.join()
        front.release.set()
    assert killed or job.returncode == 0
    if killed:
        id = "nightly" if step % 2 else "another"
        code, said = paceline.run(*run, "--job-id", id, **keys(aws.url))
        assert code == 0, said
    aws.assert_exact()
    return killed


def test_killed_before_the_commit(aws, paceline):
    """Nothing is visible, and the next try aborts what was staged."""
    aws.s3.put_object(Bucket=aws.target, Key="enriched/part-old.json", Body=b"")
    with Api() as api, Front(aws.port, hold=1) as front:
        run = paceline.job(aws, api.url, "--job-id", "nightly")
        # The manifest is refused, so that the job is killed before there is one.
        passed_on = front.reply

        def reply(method, path, headers, body):
            if begins_commit(method, path, body):
                front.happened.set()
                front.release.wait()
            return passed_on(method, path, headers, body)

        front.reply = reply
        job = paceline.start(*run, **keys(front.url))
        assert front.happened.wait(60)
        job.kill()
        job.communicate()
        shown = [name for name in aws.names() if not name.startswith("_paceline/")]
        assert shown == ["part-old.json"] and aws.uploads() != []
        code, said = paceline.run(*run, **keys(aws.url))
        assert code == 0, said
    aws.assert_exact()


def test_a_failed_job_leaves_what_was_there(aws, paceline):
    aws.s3.put_object(Bucket=aws.target, Key="enriched/part-old.json", Body=b"")
    with Api() as api:
        run = paceline.job(aws, api.url)
        sql = paceline.folder / "job.sql"
        sql.write_text(sql.read_text().replace("max_in_flight", "on_error 'fail', max_in_flight"))
        code, said = paceline.run(*run, **keys(aws.url))
    assert code == 1 and "status 422" in said
    # Its checkpoint stays, so that it can be resumed.
    shown = [name for name in aws.names() if not name.startswith("_paceline/")]
    assert shown == ["part-old.json"] and aws.uploads() == []
