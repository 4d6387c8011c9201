/* The picture of a dish: chosen, dropped, pasted or taken; replaced; removed. Nothing is sent
 * here. */
import { useId, useRef, useState } from 'preact/hooks';
import { Camera, ImagePlus, Trash2 } from 'lucide-preact';
import { Button } from '../parts/button';
import { PictureError, readPicture } from './picture';

export interface ImagePickerProps {
  src: string | null;   // what is shown now
  alt: string;
  error: string | null; // what the server said
  onPick: (dataUrl: string) => void;
  onRemove: () => void;
}

function Chooser({ label, icon: Icon, capture, onFile }: {
  label: string; icon: typeof Camera; capture?: 'environment'; onFile: (file: File | undefined) => unknown;
}) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <Button class={capture ? 'touch-only' : ''} onClick={() => input.current?.click()}>
        <Icon size={20} aria-hidden="true" /> {label}
      </Button>
      <input ref={input} type="file" accept="image/*" capture={capture} hidden aria-label={label} onChange={(event) => {
        onFile(event.currentTarget.files?.[0]);
        event.currentTarget.value = ''; // the same file can be chosen again
      }} />
    </>
  );
}

export function ImagePicker({ src, alt, error, onPick, onRemove }: ImagePickerProps) {
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const [isOver, setOver] = useState(false);
  const turn = useRef(0);
  const heading = useId();

  const take = async (file: File | undefined) => {
    if (!file)
      return;
    const mine = ++turn.current;
    setProblem(null);
    setBusy(true);
    try {
      const url = await readPicture(file);
      if (mine === turn.current)
        onPick(url);
    } catch (failure) {
      if (mine === turn.current)
        setProblem(failure instanceof PictureError ? failure.message : 'This picture could not be read. Please choose another.');
    }
    if (mine === turn.current)
      setBusy(false);
  };

  return (
    <div class={`picker ${isOver ? 'dropping' : ''}`} role="group" aria-labelledby={heading}
      onPaste={(event) => void take(event.clipboardData?.files[0])}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        void take(event.dataTransfer?.files[0]);
      }}>
      <span class="field-label" id={heading}>Picture</span>
      <div class={`picker-view ${src ? '' : 'blank'}`} aria-busy={busy || undefined}>
        {src ? <img src={src} alt={alt} /> : (
          <p class="quiet"><ImagePlus size={32} strokeWidth={1.5} aria-hidden="true" /> No picture yet
            <span class="mouse-only">Drop one here, or choose it below</span></p>
        )}
        {busy && <span class="picker-busy" role="status"><span class="spinner" aria-hidden="true" /> Making it fit …</span>}
      </div>
      <div class="row">
        <Chooser label={src ? 'Replace' : 'Choose a picture'} icon={ImagePlus} onFile={take} />
        <Chooser label="Take a photo" icon={Camera} capture="environment" onFile={take} />
        {src && <Button kind="quiet" onClick={onRemove}><Trash2 size={20} aria-hidden="true" /> Remove</Button>}
      </div>
      {(problem ?? error) && <p class="field-error" role="alert">{problem ?? error}</p>}
    </div>
  );
}
