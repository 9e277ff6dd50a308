# Commands from Arli AI's documentation, word for word. The test changes the base URL.

curl https://api.arliai.com/v1/upscale-img \
  -H "Authorization: Bearer sk-YOUR_KEY" \
  -H "Content-Type: application/json" \
  -d '{
    "image": "'"$(base64 -w0 photo.png)"'",
    "upscaler_1": "ESRGAN_4x"
  }' | python3 -c "
import sys, json, base64
data = json.load(sys.stdin)
img = base64.b64decode(data['images'][0])
with open('upscaled.png', 'wb') as f: f.write(img)
print('Saved upscaled.png (4x)')
"

curl https://api.arliai.com/v1/upscalers \
  -H "Authorization: Bearer sk-YOUR_KEY"

curl https://api.arliai.com/v1/parallel-requests \
  -H "Authorization: Bearer sk-YOUR_KEY"
