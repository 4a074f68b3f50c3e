// The paper of the Streamlit app: strokes in, one PNG out whenever the pen is lifted. It never looks at a pixel.
export default function ({ parentElement, setStateValue }) {
  const canvas = parentElement.querySelector("canvas");
  if (canvas.onpointerdown) return; // called again with every answer: what is drawn stays
  const pen = canvas.getContext("2d", { alpha: false });
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
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    pen.beginPath();
    goTo(event);
    goTo(event); // twice, so that a click is a dot
  };
  canvas.onpointermove = (event) => canvas.hasPointerCapture(event.pointerId) && goTo(event);
  canvas.onpointerup = () => setStateValue("picture", canvas.toDataURL("image/png"));
  parentElement.querySelector("button").onclick = () => {
    wipe();
    setStateValue("picture", "");
  };
}
