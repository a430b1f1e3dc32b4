// Starts Swagger UI on the description that the page names. No outside validator: nothing leaves the installation.
const place = document.getElementById("api");
const token = place.dataset.token;
if (token) {
  // Out of the address bar, the history and whatever is copied from there.
  history.replaceState(null, "", location.pathname + location.hash);
}
const ui = SwaggerUIBundle({
  url: place.dataset.url,
  domNode: place,
  deepLinking: true,
  docExpansion: "list",
  tryItOutEnabled: true,
  displayRequestDuration: true,
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  requestInterceptor: (request) => {
    if (token && request.loadSpec) {
      request.headers.Authorization = `Bearer ${token}`;
    }
    return request;
  },
  onComplete: () => token && ui.preauthorizeApiKey("token", token),
});
