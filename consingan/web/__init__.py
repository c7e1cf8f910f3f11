"""The page: a face over `api/` in the browser. Only this wing imports gradio, see `web.serve`."""
