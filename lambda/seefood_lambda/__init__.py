"""The upload handler: what the Lambda does with an event, as plain functions over values.

    settings     the environment, read once
    events       an event of any kind -> what is asked
    classifier     the model, loaded and certified; a picture -> its row
    uploads      uploads -> rows in the results, before the deadline
    rows         where a row is put, and which of two rows stays
    tags         the label as a tag on the object
    batch        what became of the uploads -> what SQS, SNS, S3 or a caller is answered
    web          an HTTP request -> a response; problems, forms and page are its parts
    heatmap      where the network looked
    operations   logs and metrics
    app          all of it behind one call

Nothing here imports Beam, TensorFlow, boto3, pyarrow, click or rich.
"""
