# The batch job's image: this wheel, Beam, LiteRT, and the built-in model at /model.
# With `--build-arg EXTRAS=` it is the command line's: predict, serve, review, without Beam.
# With `--build-arg "EXTRAS=beam onnx-cuda"` or `tensorflow-cuda` it computes on an NVIDIA GPU
# (docs/scale.md). The Python packages bring CUDA's libraries, and `docker run --gpus all` the
# driver, so the base image stays the same.
#
#   docker build -f infra/bulk.Dockerfile -t seefood-bulk .
#   docker run --rm --user "$(id -u)" -v ~/Pictures:/pictures:ro -v ~/labels:/labels seefood-bulk \
#     classify /pictures --output /labels
#
# constraints.txt pins all Python packages with hashes. To pin the base image by digest as well:
# --build-arg PYTHON_IMAGE=python:3.13.9-slim-trixie@sha256:…
#
# checkov:skip=CKV_DOCKER_2:a job ends by itself, and Batch reads its exit code
# checkov:skip=CKV_DOCKER_7:the version is in PYTHON_IMAGE
ARG PYTHON_IMAGE=python:3.13.9-slim-trixie
ARG EXTRAS=beam

FROM ${PYTHON_IMAGE} AS build
ARG EXTRAS
WORKDIR /src
COPY constraints.txt pyproject.toml README.md LICENSE ./
RUN awk '/^uv==/ {found = 1} found {print} found && !/\\$/ {exit}' constraints.txt > /tmp/uv.txt \
 && python3 -m venv /tmp/uv \
 && /tmp/uv/bin/pip install --no-cache-dir --quiet --require-hashes --requirement /tmp/uv.txt
# Dependencies first: a layer that changes rarely.
RUN python3 -m venv --without-pip /opt/seefood \
 && /tmp/uv/bin/uv pip install --no-cache --quiet --python /opt/seefood \
      --constraint constraints.txt --requirements pyproject.toml \
      $(for extra in $EXTRAS; do echo "--extra $extra"; done) \
 && cd /opt/seefood/lib/python3*/site-packages \
 && rm -rf pyarrow/include pyarrow/*flight* \
 && find . -type d -name tests -prune -exec rm -rf {} +
COPY pipeline pipeline
COPY training training
COPY lambda lambda
COPY seefood seefood
RUN /tmp/uv/bin/uv pip install --no-cache --quiet --python /opt/seefood --no-deps .

FROM ${PYTHON_IMAGE}
ARG EXTRAS
COPY --from=build /opt/seefood /opt/seefood
ENV PATH=/opt/seefood/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    XDG_CACHE_HOME=/tmp/cache
# The build fails here if the model or a part of the job is missing, or if the engine's results differ
# from the model's certificate.
RUN ln -s "$(python -c 'from seefood.bundle import default_bundle_path as p; print(p())')" /model \
 && if [ "$EXTRAS" ]; then python -c 'import seefood_pipeline.bulk_job'; else seefood doctor; fi \
 && python -c 'from seefood.bundle import load_bundle as b; from seefood.engines.loading import load_engine as e; e(b("/model"), "litert")'
USER 10001:10001
WORKDIR /tmp
ENTRYPOINT ["seefood"]
CMD ["--help"]
