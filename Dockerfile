# The container image of Xiangyue: web, worker, scheduler and migrations are the same image with another command.
#   docker build --tag xiangyue:0.1.0 --build-arg PLUGINS="contact321" .
# PLUGINS names folders of plugins/ that the image gets; a county still switches each of them on for itself.
# PYTHON_IMAGE, NODE_IMAGE, PIP_INDEX_URL and NPM_CONFIG_REGISTRY name mirrors where the usual places are out of reach.
ARG PYTHON_IMAGE=python:3.11.13-slim-bookworm
ARG NODE_IMAGE=node:22.17.0-bookworm-slim

FROM ${NODE_IMAGE} AS frontend
ARG NPM_CONFIG_REGISTRY
WORKDIR /src/web/frontend
COPY core/xiangyue/web/frontend/package.json core/xiangyue/web/frontend/package-lock.json ./
RUN npm ci --no-audit --no-fund --loglevel=error
COPY core/xiangyue/web/frontend ./
RUN npm run --silent build

FROM ${PYTHON_IMAGE} AS build
ARG PIP_INDEX_URL
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
# The environment has no pip of its own: nothing installs anything at run time.
RUN python -m venv --without-pip /opt/xiangyue
COPY requirements-image.lock ./
RUN pip --python /opt/xiangyue/bin/python install --require-hashes --only-binary :all: -r requirements-image.lock
COPY pyproject.toml README.md LICENSE ./
COPY core core
COPY plugins plugins
COPY --from=frontend /src/web/static/dist core/xiangyue/web/static/dist
ARG PLUGINS=""
# Nothing may come from elsewhere here: dependencies and the build tool are in the lock. `pip check` names what a
# plugin needs and the lock does not have.
RUN set -eu; projects=.; \
    for name in ${PLUGINS}; do \
      test -f "plugins/${name}/pyproject.toml" || { echo "PLUGINS: there is no plugins/${name}" >&2; exit 1; }; \
      projects="${projects} ./plugins/${name}"; \
    done; \
    pip --python /opt/xiangyue/bin/python install --no-deps --no-build-isolation ${projects}; \
    pip --python /opt/xiangyue/bin/python uninstall --yes hatchling pathspec trove-classifiers; \
    pip --python /opt/xiangyue/bin/python check

FROM ${PYTHON_IMAGE}
# A number, so that Kubernetes can see that it is not root. Only the home folder is the user's.
RUN groupadd --gid 10001 xiangyue \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/xiangyue --shell /usr/sbin/nologin xiangyue \
    && install --directory --owner=10001 --group=10001 --mode=0700 /var/lib/xiangyue
COPY --from=build /opt/xiangyue /opt/xiangyue
WORKDIR /app
COPY migrations migrations
COPY tenants tenants
ENV PATH=/opt/xiangyue/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    XIANGYUE_BIND=0.0.0.0 \
    XIANGYUE_HOME=/var/lib/xiangyue \
    XIANGYUE_MIGRATIONS_DIR=/app/migrations \
    XIANGYUE_PROFILES_DIR=/app/tenants
EXPOSE 8000
USER 10001:10001
CMD ["gunicorn", "-c", "python:xiangyue.gunicorn_conf", "xiangyue.wsgi:app"]
