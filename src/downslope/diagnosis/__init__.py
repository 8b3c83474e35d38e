"""Why a training did not learn: symptoms, causes, and changes that are proved by trying them."""
