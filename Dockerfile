# syntax=docker/dockerfile:1
# docker build .                 the service on ONNX Runtime's CPU provider (target cpu)
# docker build --target cuda .   the same on NVIDIA GPUs, linux/amd64 alone: see docs/gpu.md
#
# The base images are pinned to a version. To pin their bytes too, give a digest that you have checked:
# --build-arg NODE_IMAGE=node:24.21.0-bookworm-slim@sha256:...
#
# scripts/docker-steps.mjs runs these steps without Docker. For that, RUN steps use paths relative to WORKDIR, but for
# the stage that is made of NVIDIA's image alone.

ARG NODE_IMAGE=node:24.21.0-bookworm-slim
# onnxruntime-node 1.30's CUDA provider is linked with CUDA 13 and looks for cuDNN 9.
ARG CUDA_IMAGE=nvidia/cuda:13.0.2-cudnn-runtime-ubuntu24.04

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The workspaces, bench and the client's package, add nothing that the service needs.
RUN npm ci --workspaces=false --no-audit --no-fund
COPY tsconfig.json ./
COPY scripts ./scripts
COPY generated ./generated
COPY clients/typescript/package.json clients/typescript/tsconfig.json ./clients/typescript/
COPY clients/typescript/src ./clients/typescript/src
COPY src ./src
RUN node scripts/build.mjs --clean

FROM ${NODE_IMAGE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# One tarball holds ONNX Runtime for every platform; only this image's own stays. Of Swagger UI, not what is for
# bundlers and debuggers.
RUN npm ci --omit=dev --workspaces=false --no-audit --no-fund \
 && find node_modules/onnxruntime-node/bin/napi-v6 -mindepth 2 -maxdepth 2 \
      ! -path "*/$(node -p 'process.platform + "/" + process.arch')" -exec rm -rf {} + \
 && find node_modules/swagger-ui-dist \( -name '*.map' -o -name '*-es-*' \) -delete

# What both targets share; each adds its own node_modules.
FROM ${NODE_IMAGE} AS service
ENV NODE_ENV=production \
    VERDICT_HOST=0.0.0.0 \
    VERDICT_HTTP_HOST=0.0.0.0 \
    VERDICT_ADMIN_HOST=0.0.0.0
WORKDIR /app
COPY package.json LICENSE NOTICE ./
COPY bin ./bin
COPY models ./models
COPY proto ./proto
COPY generated/descriptor.binpb generated/openapi.json ./generated/
COPY --from=build /app/dist ./dist
# The user `node` of the base image, by number, so that Kubernetes can tell that it is not root.
USER 1000:1000
EXPOSE 50051 8000 9464
# A GPU may take long to open its first session; nothing is unhealthy before that.
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s --retries=3 \
  CMD ["node", "bin/verdict.js", "health", "--local", "--timeout-ms", "4000"]
STOPSIGNAL SIGTERM
# A larger young generation: docs/operations.md, "Sizing", says what it costs and brings.
ENTRYPOINT ["node", "--max-semi-space-size=32", "dist/src/main.js"]

# The libraries that the CUDA provider is linked with or loads, by the names that it asks for. The driver's own
# library, libcuda.so.1, comes from the host: the NVIDIA Container Toolkit puts it into the container.
FROM ${CUDA_IMAGE} AS cuda-libraries
WORKDIR /usr/local/cuda/lib64
RUN mkdir /libraries \
 && cp -L libcudart.so.13 libcublas.so.13 libcublasLt.so.13 libcurand.so.10 libnvrtc.so.13 libnvrtc-builtins.so.13.? \
      /usr/lib/x86_64-linux-gnu/libcudnn*.so.9 /NGC-DL-CONTAINER-LICENSE /libraries/

# npm runs no install scripts here (.npmrc), so the provider is fetched by name. TensorRT is not used.
FROM dependencies AS cuda-download
RUN ONNXRUNTIME_NODE_INSTALL=true node node_modules/onnxruntime-node/script/install.js \
 && rm -f node_modules/onnxruntime-node/bin/napi-v6/linux/x64/libonnxruntime_providers_tensorrt.so

# Ends the build where a library is missing, or is of another major version than the provider asks for.
FROM cuda-download AS cuda-provider
COPY scripts/check-cuda-libraries.mjs ./scripts/
COPY --from=cuda-libraries /libraries ./cuda
RUN node scripts/check-cuda-libraries.mjs node_modules/onnxruntime-node/bin/napi-v6/linux/x64 cuda

FROM service AS cuda
ENV LD_LIBRARY_PATH=/app/cuda \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility \
    NVIDIA_REQUIRE_CUDA="cuda>=13.0" \
    VERDICT_DEVICE=cuda
COPY --from=cuda-provider /app/cuda ./cuda
COPY --from=cuda-provider /app/node_modules ./node_modules
ARG VERSION=unknown
ARG REVISION=unknown
ARG SOURCE=unknown
ARG CREATED=unknown
# NVIDIA's terms are in cuda/NGC-DL-CONTAINER-LICENSE.
ARG LICENSES="Apache-2.0 AND LicenseRef-NVIDIA-Deep-Learning-Container"
LABEL org.opencontainers.image.title="verdict" \
      org.opencontainers.image.description="A gRPC microservice that classifies text with ONNX transformer models, on NVIDIA GPUs" \
      org.opencontainers.image.licenses="${LICENSES}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.created="${CREATED}"

# Last, so that it is what a build without --target makes.
FROM service AS cpu
COPY --from=dependencies /app/node_modules ./node_modules
ARG VERSION=unknown
ARG REVISION=unknown
ARG SOURCE=unknown
ARG CREATED=unknown
ARG LICENSES="Apache-2.0"
LABEL org.opencontainers.image.title="verdict" \
      org.opencontainers.image.description="A gRPC microservice that classifies text with ONNX transformer models" \
      org.opencontainers.image.licenses="${LICENSES}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.created="${CREATED}"
