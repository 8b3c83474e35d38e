"""Train the digits with PyTorch: 64-128-10, adam, one-cycle, batch 32, epochs as asked for."""

import sys

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

epochs, batch_size = int(sys.argv[1]), 32
torch.manual_seed(0)
inputs, targets = load_digits(return_X_y=True)
parts = train_test_split(
    inputs.astype("float32"),
    targets,
    train_size=1258,
    test_size=359,
    stratify=targets,
    random_state=0,
)
x, x_test, y, y_test = map(torch.from_numpy, parts)
mean, std = x.mean(), x.std()
x, x_test = (x - mean) / std, (x_test - mean) / std

model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.2), nn.Linear(128, 10))
loss_function = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.003)
steps = epochs * -(-len(x) // batch_size)
schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.003, total_steps=steps)
for _ in range(epochs):
    for batch in torch.randperm(len(x)).split(batch_size):
        optimizer.zero_grad()
        loss_function(model(x[batch]), y[batch]).backward()
        optimizer.step()
        schedule.step()
model.eval()
with torch.inference_mode():
    right = (model(x_test).argmax(1) == y_test).float().mean()
print(f"accuracy {right:.4f}")
