# The Tracker in a container: built with everything, shipped with what it runs on.

FROM node:24.21.0-bookworm-slim AS build
WORKDIR /tracker
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build
# For the package the Tracker is an example, so what it needs beside the package is among the devDependencies. These move
# over, in the same versions; then everything else that is for development goes.
ARG TRACKER_NEEDS="@escape.tech/graphql-armor-max-aliases @escape.tech/graphql-armor-max-directives \
  @opentelemetry/api fastify graphql mercurius mercurius-cache pg postgrator"
RUN node -e " \
    const manifest = JSON.parse(fs.readFileSync('package.json')); \
    for (const name of process.argv.slice(1)) manifest.dependencies[name] = manifest.devDependencies[name]; \
    delete manifest.devDependencies; \
    fs.writeFileSync('package.json', JSON.stringify(manifest)) \
  " $TRACKER_NEEDS \
  && npm prune --ignore-scripts \
  && rm -r dist/database/embedded-worker.* dist/tracker/load*

FROM node:24.21.0-bookworm-slim
# Without further settings it starts as in production and wants to be told its database.
ENV NODE_ENV=production HOST=0.0.0.0 PORT=4000
WORKDIR /tracker
COPY --from=build /tracker/package.json ./
COPY --from=build /tracker/node_modules ./node_modules
COPY --from=build /tracker/dist ./dist
# Root owns the files, so the user that runs them cannot change them.
USER node
EXPOSE 4000
# There is no curl in the image, but there is node.
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--import", "mercurius-performance/register", "dist/tracker/main.js"]
