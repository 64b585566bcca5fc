# syntax=docker/dockerfile:1
# `docker build --target cpu .` : the service on ONNX Runtime's CPU provider.

FROM node:22-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json ./
COPY scripts ./scripts
COPY generated ./generated
COPY src ./src
RUN node scripts/build.mjs --clean

FROM node:22-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# One tarball holds ONNX Runtime for every platform; only this image's own stays.
RUN npm ci --omit=dev \
 && cd node_modules/onnxruntime-node/bin/napi-v6 \
 && rm -rf darwin win32 \
 && find linux -mindepth 1 -maxdepth 1 ! -name "$(node -p process.arch)" -exec rm -rf {} +

FROM node:22-bookworm-slim AS cpu
LABEL org.opencontainers.image.title="verdict" \
      org.opencontainers.image.description="A gRPC microservice that classifies text with ONNX transformer models" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production \
    VERDICT_HOST=0.0.0.0 \
    VERDICT_ADMIN_HOST=0.0.0.0
WORKDIR /app
COPY package.json ./
COPY bin ./bin
COPY models ./models
COPY proto ./proto
COPY generated/descriptor.binpb generated/openapi.json ./generated/
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
USER node
EXPOSE 50051 9464
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:9464/readyz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "dist/src/main.js"]
