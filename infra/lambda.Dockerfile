# The upload handler as a container image for Lambda; the template uses the zip.
#
#   docker build -f infra/lambda.Dockerfile -t seefood-lambda .
#
# Lambda runs any image whose entry point is AWS's runtime client (awslambdaric).
#
# checkov:skip=CKV_DOCKER_2:Lambda checks its environments itself
# checkov:skip=CKV_DOCKER_7:the version is in PYTHON_IMAGE
ARG PYTHON_IMAGE=python:3.13.9-slim-trixie

FROM ${PYTHON_IMAGE} AS build
WORKDIR /src
COPY constraints.txt pyproject.toml README.md LICENSE ./
RUN awk '/^uv==/ {found = 1} found {print} found && !/\\$/ {exit}' constraints.txt > /tmp/uv.txt \
 && python3 -m venv /tmp/uv \
 && /tmp/uv/bin/pip install --no-cache-dir --quiet --require-hashes --requirement /tmp/uv.txt
RUN python3 -m venv --without-pip /opt/seefood \
 && /tmp/uv/bin/uv pip install --no-cache --quiet --python /opt/seefood --compile-bytecode \
      --constraint constraints.txt --requirements pyproject.toml --extra lambda awslambdaric
COPY pipeline pipeline
COPY training training
COPY lambda lambda
COPY seefood seefood
RUN /tmp/uv/bin/uv pip install --no-cache --quiet --python /opt/seefood --compile-bytecode --no-deps .

FROM ${PYTHON_IMAGE}
COPY --from=build /opt/seefood /opt/seefood
COPY --from=build /src/lambda/handler.py /var/task/
ENV PATH=/opt/seefood/bin:$PATH
WORKDIR /var/task
# The build fails here if the handler or its model is missing.
RUN python -c 'import handler'
USER 10001:10001
ENTRYPOINT ["python", "-m", "awslambdaric"]
CMD ["handler.handler"]
