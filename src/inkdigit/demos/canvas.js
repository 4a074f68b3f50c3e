// The drawing canvas of the Gradio and Streamlit apps. Calls `send` with a PNG data URL when the pen is lifted, and with ""
// when the canvas is empty. It never looks at a pixel.
function drawingCanvas(element, send) {
  const canvas = element.querySelector("canvas");
  if (canvas.onpointerdown) return; // Streamlit calls again with every answer: keep the drawing
  const [undo, clear] = element.querySelectorAll("button");
  const pen = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
  const history = []; // the canvas before each stroke
  const notify = () => send(history.length ? canvas.toDataURL("image/png") : "");
  const wipe = () => {
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, canvas.width, canvas.height);
  };
  const goTo = (event) => {
    const box = canvas.getBoundingClientRect();
    const scale = canvas.width / box.width;
    pen.lineTo((event.clientX - box.left) * scale, (event.clientY - box.top) * scale);
    pen.stroke();
  };
  pen.lineWidth = 14;
  pen.lineCap = pen.lineJoin = "round";
  wipe();
  canvas.onpointerdown = (event) => {
    if (event.button !== 0 || !event.isPrimary) return;
    canvas.setPointerCapture(event.pointerId);
    history.push(pen.getImageData(0, 0, canvas.width, canvas.height));
    pen.beginPath();
    goTo(event);
    goTo(event); // twice, so that a click paints a dot
  };
  canvas.onpointermove = (event) => canvas.hasPointerCapture(event.pointerId) && goTo(event);
  canvas.onlostpointercapture = notify; // pen lifted, or pointer lost
  undo.onclick = () => {
    if (!history.length) return;
    pen.putImageData(history.pop(), 0, 0);
    notify();
  };
  clear.onclick = () => {
    wipe();
    history.length = 0;
    notify();
  };
}
