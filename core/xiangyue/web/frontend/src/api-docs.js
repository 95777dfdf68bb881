// Starts Swagger UI on #swagger-ui; the document's address stands in data-openapi-url (no inline scripts under our CSP).
const mount = document.getElementById("swagger-ui");
if (mount && window.SwaggerUIBundle) {
  window.ui = window.SwaggerUIBundle({
    url: mount.dataset.openapiUrl,
    domNode: mount,
    deepLinking: true,
    // Nothing may leave the machine: no online validator, no remote badge.
    validatorUrl: null,
    presets: [window.SwaggerUIBundle.presets.apis],
  });
}
