// Starts Swagger UI on #swagger; the document's address stands in data-spec (no inline scripts under our policy).
import SwaggerUIBundle from "swagger-ui-dist/swagger-ui-bundle.js";

const mount = document.getElementById("swagger");
if (mount) {
  SwaggerUIBundle({
    url: mount.dataset.spec,
    domNode: mount,
    deepLinking: true,
    // Nothing may leave the machine: no online validator, no remote badge.
    validatorUrl: null,
    presets: [SwaggerUIBundle.presets.apis],
  });
}
