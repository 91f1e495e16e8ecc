# The mock in a container. From the root of the repository:
#
#     docker build --tag mockforge .
#     docker run --rm --publish 8080:8080 --volume "$PWD/stubs/orders:/stubs:ro" mockforge

ARG PYTHON=3.12

FROM python:${PYTHON}-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY mockforge ./mockforge
RUN python -m venv /opt/mockforge \
    && /opt/mockforge/bin/pip install --no-cache-dir --disable-pip-version-check .

FROM python:${PYTHON}-slim
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin mockforge \
    && install --directory --owner mockforge /recordings
COPY --from=build /opt/mockforge /opt/mockforge
ENV PATH="/opt/mockforge/bin:$PATH" PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER mockforge
WORKDIR /
EXPOSE 8080
# No proxy of the environment's: the question is for this container.
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 CMD ["python", "-c", "\
from urllib.request import ProxyHandler, build_opener; \
build_opener(ProxyHandler({})).open('http://127.0.0.1:8080/__admin/health', timeout=2)"]
ENTRYPOINT ["mockforge"]
# The admin API is as open as the port: whoever maps it decides who may come.
CMD ["serve", "/stubs", "--host", "0.0.0.0", "--port", "8080", "--admin-open"]
