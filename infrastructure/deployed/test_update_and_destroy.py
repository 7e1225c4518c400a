"""A stack is updated in place, and destroyed; what it holds stays."""

from cloud import UNKNOWN, known, synthesise


def test_a_stack_is_updated_in_place_and_destroyed_with_data_and_key_left(deploy):
    stack = deploy("lived")
    s3, bucket = stack.client("s3"), stack.props["bucketName"]
    s3.put_object(Bucket=bucket, Key="output/part-0.parquet", Body=b"bought")
    keys = stack.resources("AWS::KMS::Key")

    stack.deploy({"glueTimeout": 60, "alarmThresholds": {"failedRecords": 5}, "jobArguments": {"batch_size": "500"}})
    job = stack.client("glue").get_job(JobName="lived")["Job"]
    assert (job["Timeout"], job["DefaultArguments"]["--batch_size"]) == (60, "500")
    (alarm,) = stack.client("cloudwatch").describe_alarms(AlarmNames=["lived-FailedRecords"])["MetricAlarms"]
    assert alarm["Threshold"] == 5
    assert stack.resources("AWS::KMS::Key") == keys
    assert s3.get_object(Bucket=bucket, Key="output/part-0.parquet")["Body"].read() == b"bought"

    (function,) = stack.resources("AWS::Lambda::Function").values()
    stack.destroy()
    assert s3.get_object(Bucket=bucket, Key="output/part-0.parquet")["Body"].read() == b"bought"
    s3.head_bucket(Bucket=f"{bucket}-access-logs")
    (key,) = keys.values()
    assert stack.client("kms").describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Enabled"
    assert "lived" not in [each["Name"] for each in stack.client("glue").get_jobs()["Jobs"]]
    assert stack.client("cloudwatch").describe_alarms(AlarmNamePrefix="lived-")["MetricAlarms"] == []
    assert function not in [each["FunctionName"] for each in stack.client("lambda").list_functions()["Functions"]]


def test_only_what_ministack_does_not_know_is_taken_out_of_templates(tmp_path, wheel_path):
    from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS as handlers

    assert not set(UNKNOWN) & set(handlers), "ministack has learnt it: take it out of UNKNOWN"
    template = synthesise(tmp_path, {"bucketName": "data", "glueJobName": "job", "wheelPath": str(wheel_path)}, "filter")
    types = {each["Type"] for each in template["Resources"].values()}
    assert {each for each in types if each not in handlers} == set(UNKNOWN)
    left = known(template)["Resources"]
    assert set(template["Resources"]) - set(left) == {name for name, each in template["Resources"].items() if each["Type"] in UNKNOWN}
    (job,) = [each for each in left.values() if each["Type"] == "AWS::Glue::Job"]
    assert job["Properties"]["SecurityConfiguration"] == "GlueSecurityConfig-filter"
