"""Finds the region of an Amazon S3 bucket.

The response to a HEAD request for a bucket has the header `x-amz-bucket-region`, whatever the status is. So the
request needs no credential (Amazon S3 API reference, HeadBucket).
"""

import os

ADDRESS = "https://s3.amazonaws.com"
FALLBACK = "us-east-1"
TIMEOUT = 5.0


def of(bucket: str) -> str:
    """The region of a bucket.

    It is AWS_REGION or AWS_DEFAULT_REGION if one of them is set. Otherwise it is the region that Amazon reports for
    the bucket, or us-east-1 if Amazon reports none.
    """
    named = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    return named or _asked(bucket) or FALLBACK


def _asked(bucket: str) -> str | None:
    import requests

    try:
        answer = requests.head(f"{ADDRESS}/{bucket}", timeout=TIMEOUT, allow_redirects=False)
    except requests.RequestException:
        return None
    return answer.headers.get("x-amz-bucket-region")
