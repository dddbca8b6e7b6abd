"""JSON over HTTP: routes, gateway, the OpenAPI document."""
