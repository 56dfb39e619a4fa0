# xmlcurld alone: a static program in an empty image.
#
#   docker build --build-arg VERSION=$(git describe --always --dirty) --tag xmlcurld .

FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
RUN mkdir -m 0700 /data && CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.buildVersion=${VERSION}" -o /xmlcurld ./cmd/xmlcurld

FROM scratch
# For a Postgres that is reached over verified TLS.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /xmlcurld /xmlcurld
# The copy of the rows, which holds passwords. Keep it where the next container finds it.
COPY --from=build --chown=65532:65532 /data /var/lib/xmlcurld
ENV XMLCURLD_DATA_DIR=/var/lib/xmlcurld
VOLUME /var/lib/xmlcurld
USER 65532:65532
EXPOSE 8080 9180
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s CMD ["/xmlcurld", "healthcheck"]
ENTRYPOINT ["/xmlcurld"]
CMD ["serve"]
