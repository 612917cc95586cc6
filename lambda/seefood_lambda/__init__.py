"""The upload handler: the Lambda that classifies pictures as they are uploaded.

    settings         reads the environment variables, once
    events           parses an event of any kind into a value
    classifier       loads the model; classifies one picture into a row
    uploads          classifies uploads and writes their rows before the deadline
    result_writer    writes a row, and decides which of two rows stays
    object_tags      sets the label as a tag on the object
    batch_response   builds the response to SQS, SNS, S3 or a direct caller
    http_api         handles HTTP requests; form_data, page, problem_details and request_input are
                     its parts
    saliency         computes which parts of a picture decided its label
    observability    writes logs and metrics
    application      combines all of it in one callable
    snapshot         what SnapStart calls before its snapshot and after each restore
    entry_point      creates the application while Lambda starts an environment
    local_server     `seefood serve`: the same application on a local port; not in the Lambda's zip

Except for local_server, nothing here imports Beam, TensorFlow, boto3, pyarrow, click or rich.
"""
