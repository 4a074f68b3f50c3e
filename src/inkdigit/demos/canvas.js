// The drawing canvas of the Gradio and Streamlit apps: strokes in, one PNG out as a data URL whenever the pen is lifted, and ""
// when nothing is drawn. It never looks at a pixel.
function drawingCanvas(element, send) {
  const canvas = element.querySelector("canvas");
  if (canvas.onpointerdown) return; // Streamlit calls again with every answer: what is drawn stays
  const [undo, clear] = element.querySelectorAll("button");
  const pen = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
  const sheets = []; // what the canvas showed before each stroke
  const tell = () => send(sheets.length ? canvas.toDataURL("image/png") : "");
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
    sheets.push(pen.getImageData(0, 0, canvas.width, canvas.height));
    pen.beginPath();
    goTo(event);
    goTo(event); // twice, so that a click is a dot
  };
  canvas.onpointermove = (event) => canvas.hasPointerCapture(event.pointerId) && goTo(event);
  canvas.onlostpointercapture = tell; // lifted, or taken away by the browser
  undo.onclick = () => {
    if (!sheets.length) return;
    pen.putImageData(sheets.pop(), 0, 0);
    tell();
  };
  clear.onclick = () => {
    wipe();
    sheets.length = 0;
    tell();
  };
}
