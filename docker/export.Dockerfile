# The runtime image and what dcrnet-export, dcrnet-eval and dcrnet-train need, for x86-64.
#   docker build -f docker/export.Dockerfile -t dcrnet-edge-export .
#   docker run --rm -v "$PWD:/data" dcrnet-edge-export --int8 --size 128
ARG RUNTIME=dcrnet-edge
FROM ${RUNTIME}
# PyTorch's own index has builds without CUDA; on the package index there is none for x86-64.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
USER root
RUN --mount=type=bind,source=docker/export.lock,target=/export.lock \
    --mount=type=secret,id=pip,target=/etc/pip.conf \
    --mount=type=secret,id=ca,target=/run/secrets/ca \
    python3 -m pip install --no-cache-dir --no-compile --target /opt/export --require-hashes --no-deps \
      --only-binary :all: ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} -r /export.lock
ENV PYTHONPATH=/opt/dcrnet:/opt/packages:/opt/export
LABEL org.opencontainers.image.title="dcrnet-edge-export" \
      org.opencontainers.image.description="DCRNet's training, evaluation and export, on CPUs"
USER dcrnet
HEALTHCHECK NONE
ENTRYPOINT ["dcrnet-export"]
