"""Train the digits with scikit-learn: 64-128-10, adam, batch 32, as many epochs as asked for."""

import sys
import warnings

from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

warnings.simplefilter("ignore", ConvergenceWarning)
epochs = int(sys.argv[1])
inputs, targets = load_digits(return_X_y=True)
inputs = inputs.astype("float32")
x, x_test, y, y_test = train_test_split(
    inputs, targets, train_size=1258, test_size=359, stratify=targets, random_state=0
)
scaler = StandardScaler().fit(x)
model = MLPClassifier(
    (128,),
    solver="adam",
    alpha=0.0,
    learning_rate_init=0.003,
    batch_size=32,
    max_iter=epochs,
    n_iter_no_change=epochs + 1,
    random_state=0,
)
model.fit(scaler.transform(x), y)
print(f"accuracy {model.score(scaler.transform(x_test), y_test):.4f}")
